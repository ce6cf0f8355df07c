"""The endpoints, one file per noun; `main` lists the files.

What several endpoints share is in `http`.
"""

import app.http.path_ids  # noqa: F401 - paths hold its convertor `any`
