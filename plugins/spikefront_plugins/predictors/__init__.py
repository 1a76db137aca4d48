"""Built-in predictors."""
