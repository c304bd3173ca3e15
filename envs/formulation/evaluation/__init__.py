"""How good formulations are: equivalence to a reference, components, decision regret, retrieval."""
