"""The name of a domain in a path: upper case, a final dot and letters beyond ASCII find the same domain."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator

from checks.settings import normalise_domain

DomainName = Annotated[str, Path(max_length=300, examples=["example.com"]), AfterValidator(normalise_domain)]
