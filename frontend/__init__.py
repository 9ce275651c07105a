"""Pages for the three publics: templates, views that parse, call and render, static ES modules. No rules."""
