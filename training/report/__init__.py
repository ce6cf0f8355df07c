"""The comparison report of a run: gathered (comparison), laid out (contents), written as Markdown and HTML (folder)."""
