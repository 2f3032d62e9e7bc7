"""The one order-and-billing core that every face and room stands on."""
