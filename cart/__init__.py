"""The cart: lines, holds, prices, delivery, and what checkout still needs."""
