"""What the expiry radar shows, as its address says it: a window of days and a kind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from portal.domain.attention import AttentionKind
from portal.domain.expiries import ENDING, Window

PAGE_SIZE = 50


@dataclass(frozen=True)
class Listing:
    """One way of looking at what ends; None means all."""

    window: Window | None = None
    kind: AttentionKind | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "Listing":
        """From the query string. What it does not know it leaves out, as if it were not there."""
        window, kind = arguments.get("within", ""), arguments.get("kind", "")
        return cls(
            window=Window(window) if window in set(Window) else None,
            kind=AttentionKind(kind) if kind in set(ENDING) else None,
        )

    def query(self) -> dict[str, str]:
        """What the query string must say to come here again."""
        words = {"within": self.window or "", "kind": self.kind or ""}
        return {name: str(word) for name, word in words.items() if word}

    def within(self, window: Window | None) -> "Listing":
        return replace(self, window=window)

    def of_kind(self, kind: AttentionKind | None) -> "Listing":
        return replace(self, kind=kind)
