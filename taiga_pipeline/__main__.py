"""``python -m taiga_pipeline`` is ``pipeline-sync``."""

from __future__ import annotations

from taiga_pipeline.cli.main import main

if __name__ == "__main__":
    main()
