"""Sources of insight cards behind one port."""
