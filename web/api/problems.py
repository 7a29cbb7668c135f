"""`/problems/CODE`: where the `type` of a problem leads."""

from typing import Annotated

from fastapi import Path

from checks.model import Unknown
from web.access.routing import PUBLIC_TAG, router
from web.documents import Document
from web.problems.codes import KINDS, ProblemCode
from web.problems.pages import REMEDIES, slug

routes = router("problems")
_BY_SLUG = {slug(code): code for code in KINDS}


class ProblemPage(Document):
    """What a problem means, whenever it comes."""

    code: ProblemCode
    status: int
    title: str
    what_to_do: str


@routes.get("/problems/{code}", operation_id="problems.get", summary="What a problem means", tags=[PUBLIC_TAG])
def get(code: Annotated[str, Path(max_length=100, examples=["not-found"])]) -> ProblemPage:
    """One kind of problem. Needs no key."""
    if (found := _BY_SLUG.get(code)) is None:
        raise Unknown("there is no such problem", "code")
    return ProblemPage(code=found, status=KINDS[found].status, title=KINDS[found].title, what_to_do=REMEDIES[found])
