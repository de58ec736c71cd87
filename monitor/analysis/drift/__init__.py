"""Did what goes in or comes out change? Windows, evidence and judgement of one feature each."""
