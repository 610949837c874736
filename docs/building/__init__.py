"""What the site is made of besides its pages: the reference, and the diagrams."""
