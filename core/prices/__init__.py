"""What things cost: price lists, prices, plans."""
