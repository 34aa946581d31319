"""Telling people: one alert a cause, one digest that lists whom it touches, one more when it is over."""
