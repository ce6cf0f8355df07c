"""Names users to try the service with."""

from fastapi import APIRouter

from app.errors import NoModelError
from app.http.dependencies import CurrentModel
from app.http.error_answers import error_responses
from app.model.example_users import example_users
from app.schemas.users import ExampleUsers

router = APIRouter(tags=["users"])


# A plain function, which FastAPI runs in a thread: to order all users takes milliseconds.
@router.get("/users/examples", responses=error_responses(NoModelError))
def list_example_users(model: CurrentModel) -> ExampleUsers:
    """A user with a short, a medium and a long history, and one that the model does not know."""
    return ExampleUsers(model_version=model.version, users=example_users(model.recommender))
