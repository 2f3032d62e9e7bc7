"""What the desk's keys can ask about pictures and videos."""

from api import media_shapes as shapes
from api.operation import CHANGE, Operation

DESK = (
    Operation("get", "/desk/media", "listMedia", "List pictures or videos, the newest first",
              shapes.MediaPage, (401, 403, 422, 429), query=shapes.MediaQuery,
              token="staffKey", scope="content:read"),
    Operation("get", "/desk/media/{media_id}", "showMedia", "Show one picture or video",
              shapes.MediaAnswer, (401, 403, 404, 429), token="staffKey", scope="content:read"),
    Operation("post", "/desk/pictures", "uploadPicture",
              "Upload a picture: it is encoded anew at a few widths", shapes.MediaAnswer,
              (401, 403, *CHANGE), status=201, takes_form=shapes.PictureUpload,
              token="staffKey", scope="content:write", has_key=True),
    Operation("post", "/desk/videos", "uploadVideo", "Upload a video", shapes.MediaAnswer,
              (401, 403, *CHANGE), status=201, takes_form=shapes.VideoUpload,
              token="staffKey", scope="content:write", has_key=True),
    Operation("post", "/desk/videos/{media_id}/captions", "uploadCaptions",
              "Give a video captions in a language, in place of those it has",
              shapes.MediaAnswer, (401, 403, *CHANGE), takes_form=shapes.CaptionsUpload,
              token="staffKey", scope="content:write", has_key=True),
)  # fmt: skip
