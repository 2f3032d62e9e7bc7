"""The demo shop: everything that one needs to try Counterfoil on one machine, started as one group."""
