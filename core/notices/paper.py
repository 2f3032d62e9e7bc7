"""The paper and ink of mails: the web's tokens, light and dark, as far as mails use them.

A mail program loads no style sheet, so the colours stand in the mail itself. A test holds them against
``static/css/tokens.css``.
"""

LIGHT = {
    "paper": "#f6f1e6",
    "sheet": "#fdfaf3",
    "ink": "#1d1c18",
    "ink_2": "#5a554a",
    "rule": "#d6cdb9",
    "rule_ink": "#1d1c18",
    "fir": "#1f4d3a",
    "on_fir": "#fbf7ec",
    "apricot": "#e9a767",
}
DARK = {
    "paper": "#1f2427",
    "sheet": "#272d30",
    "ink": "#efe9db",
    "ink_2": "#b9b4a6",
    "rule": "#404a4d",
    "rule_ink": "#a3a296",
    "fir": "#9accae",
    "on_fir": "#12261c",
    "apricot": "#e5a664",
}
