"""Running a site: the worker loop, health, and the commands of manage.py."""
