"""pipeline-sync: deals of a sales pipeline become projects in a project-management tool."""

__version__ = "0.1.0"
