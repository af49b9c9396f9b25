"""The widgets that every screen is made of; none of them knows what a model is."""
