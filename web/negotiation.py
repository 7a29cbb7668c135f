"""Which of several forms an answer is to have: what a header such as Accept or Accept-Language likes best of them."""

from collections.abc import Sequence


def preferred(header: str | None, offers: Sequence[str]) -> str | None:
    """The offer that is liked best (RFC 9110, section 12.5), the first one without a header; None where none is."""
    if not header or not header.strip():
        return offers[0]
    liked = [_item(item) for item in header.split(",")]
    best = max(offers, key=lambda offer: (_quality(offer, liked), -offers.index(offer)))
    return best if _quality(best, liked) > 0 else None


def _item(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return name, _number(parameter[2:])
    return name, 1.0


def _number(text: str) -> float:
    """A quality; one that cannot be read is none."""
    return float(text) if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdecimal() else 0.0


def _quality(offer: str, liked: Sequence[tuple[str, float]]) -> float:
    """That of the most exact range that the offer is in."""
    found = [(_exactness(name, offer), quality) for name, quality in liked]
    exactness, quality = max(found, default=(0, 0.0))
    return quality if exactness else 0.0


def _exactness(name: str, offer: str) -> int:
    if name == offer or name.split("-")[0] == offer:  # en-GB is English
        return 3
    if name.endswith("/*") and offer.startswith(name[:-1]):
        return 2
    return 1 if name in ("*", "*/*") else 0
