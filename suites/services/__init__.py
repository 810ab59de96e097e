"""Services lead to their endpoints, whatever comes and goes behind them."""
