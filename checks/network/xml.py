"""XML of strangers: no DTD, so no entities; and an answer in one try, for what is no XML too."""

from xml.etree.ElementTree import Element, ParseError  # the types only: what parses is defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_MOST_ELEMENTS = 2_000


def parsed(body: bytes) -> Element | None:
    """The root of a document; None where it is none, has a DTD, or is larger than any of its kind."""
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):  # of unknown encodings
        return None
    return root if sum(1 for _ in root.iter()) <= _MOST_ELEMENTS else None


def name(element: Element) -> str:
    """The name of an element in lower case, without its namespace: documents in the field have any, or none."""
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def text(element: Element, child: str) -> str:
    """The text of the first child of that name, '' where there is none."""
    return next(((each.text or "").strip() for each in element if name(each) == child), "")


def texts(element: Element, child: str) -> list[str]:
    """The texts of all children of that name."""
    return [(each.text or "").strip() for each in element if name(each) == child]
