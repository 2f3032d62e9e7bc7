"""What is earned of bills: ``core.revenue`` compares and posts; here it is told how things stand.

Orders are earned by what was given of them (``orders``), services by their days (``days``).
"""
