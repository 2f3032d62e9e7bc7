"""Content: pages of typed blocks, segments, media, menus, banners, redirects, the brand kit."""
