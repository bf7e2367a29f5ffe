"""Where codegen reads and writes, below one root folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders of one tree; `tool` is codegen's own source."""

    root: Path
    tool: Path = Path(__file__).parent

    @property
    def contracts(self) -> Path:
        """The OpenAPI sources."""
        return self.root / "api-contracts" / "openapi" / "v1"

    @property
    def generated(self) -> Path:
        """What codegen writes, and nothing else does."""
        return self.root / "generated"

    @property
    def templates(self) -> Path:
        """The Jinja2 templates."""
        return self.root / "templates" / "codegen"
