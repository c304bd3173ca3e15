"""The shipped problems against independent implementations of their physics."""
