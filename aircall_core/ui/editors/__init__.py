"""The forms of settings, shared by the settings pages and the first-run page. Each returns whether it saved."""
