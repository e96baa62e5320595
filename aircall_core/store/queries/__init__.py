"""Reading: plain functions over an open connection that return what a page or a route shows."""
