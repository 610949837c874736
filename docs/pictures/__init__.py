"""Pictures of what is built here, and what draws them."""
