"""What is for sale: products, variants, categories, bundles."""
