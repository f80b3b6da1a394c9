"""Models for other libraries, and from them."""
