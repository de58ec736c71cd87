"""What is told over HTTP on the admin port."""
