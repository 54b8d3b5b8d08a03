"""VK0xx: files that cannot be read, and the linter's own comments."""
