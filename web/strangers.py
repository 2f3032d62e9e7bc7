"""Pictures that strangers sent, as we wrote them anew: served under names of ours, able to do nothing."""

from flask import Response

from core.kernel.pictures import EXTENSIONS
from web.context import house


def picture(sha256: str, media_type: str, name: str) -> Response:
    """A kept picture; ``name`` is without its end."""
    return Response(
        house().blobs.get(sha256),
        mimetype=media_type,
        headers={
            "Content-Disposition": f'inline; filename="{name}.{EXTENSIONS[media_type]}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )
