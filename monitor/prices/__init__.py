"""(model, tokens, units) → what an exchange cost. `data/` is made by `make prices`."""
