"""The console: pages for people, beside the API in the same process."""

from skeldir.console.app import create_console

__all__ = ["create_console"]
