"""``./shop demo``: Fernway on this machine, with a processor that moves no money and a mail box.

``app.cli`` calls ``demo``. Everything that the demo keeps lies in one folder, ``var/demo`` unless
told otherwise.
"""

import argparse
import os
import pathlib
import re
import shlex
import sys
from collections.abc import Mapping, Sequence

from app.demo.ground import NotFree, Ports, claim_ports, kept_secret, lay_out, locked
from app.demo.group import Child, Step, run_group

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGINS = "logins.txt"  # the seed writes it
SETTINGS = "settings.env"  # other commands of ./shop read it


def demo(argv: Sequence[str]) -> int:
    """Runs the demo until a signal; answers the exit code."""
    chosen = _parse(argv)
    data = chosen.data.resolve()
    if data.is_relative_to(pathlib.Path.cwd()):
        data = data.relative_to(pathlib.Path.cwd())
    try:
        with locked(data) as lock:
            ports = claim_ports(chosen.port)
            lay_out(data, reset=chosen.reset)
            settings = demo_settings(data, ports)
            _keep(data / SETTINGS, settings)
            print("Getting Fernway ready ...", flush=True)
            return run_group(
                _children(data, ports, settings),
                logs=data / "log",
                env=_environment(settings),
                steps=(
                    Step("migrate", _python("app.cli", "migrate")),
                    Step("seed", _python("app.cli", "seed")),
                ),
                on_ready=lambda: _say_ready(data, ports),
                held=(lock,),
            )
    except NotFree as refusal:
        print(refusal, file=sys.stderr)
        return 1


def demo_settings(data: pathlib.Path, ports: Ports) -> dict[str, str]:
    """The demo's settings by the names that ``app.settings`` reads."""
    shop = f"http://localhost:{ports.web}"
    return {
        "SHOP_MODE": "demo",
        "DATABASE_URL": f"sqlite:///{data.resolve()}/shop.db",
        "DATA_DIR": str(data.resolve()),
        "SECRET_KEY": kept_secret(data, "shop"),
        "BASE_URL": shop,
        "RETURN_ORIGINS": shop,
        "STRIPE_KEY": f"sk_sandbox_{kept_secret(data, 'processor')}",
        # Another host name than the shop's, or the shop's cookies would travel to the processor.
        "STRIPE_BASE": f"http://127.0.0.1:{ports.processor}",
        "STRIPE_WEBHOOK_SECRETS": f"whsec_{kept_secret(data, 'webhooks')}",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(ports.smtp),
        "MAIL_FROM": "Fernway <hello@fernway.example.com>",
        "METRICS_TOKEN": kept_secret(data, "metrics"),
        "ALLOW_INVOICE": "yes",
        "LATE_FEE": "5.00",
        "PROVISIONING": "pretend",
        "PROVISIONING_REFUSES": "ADDR-8",  # as ``fernway.shop.BY_A_PERSON``
    }


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./shop demo", description="Open the demo shop on this machine."
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8000,
        help="the shop's port; the processor, the mail box and its SMTP take the three after it",
    )
    parser.add_argument(
        "--reset", action="store_true", help="begin anew: everything the demo has kept is removed"
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        default=ROOT / "var" / "demo",
        help="the folder it keeps its data in",
    )
    return parser.parse_args(argv)


def _python(module: str, *argv: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *argv)


def _children(data: pathlib.Path, ports: Ports, settings: Mapping[str, str]) -> tuple[Child, ...]:
    mail_box = _python(
        "app.demo.mail_catcher",
        *("--page-port", str(ports.mail)),
        *("--smtp-port", str(ports.smtp)),
        *("--data", str(data / "mail")),
    )
    processor = _python(
        "payments.sandbox",
        *("--port", str(ports.processor)),
        *("--data", str(data / "processor")),
        *("--webhook-url", f"http://localhost:{ports.web}/webhooks/stripe"),
        *("--webhook-secret", settings["STRIPE_WEBHOOK_SECRETS"]),
        *("--api-key", settings["STRIPE_KEY"]),
    )
    return (
        Child("mail", mail_box, f"http://127.0.0.1:{ports.mail}/healthz"),
        Child("processor", processor, f"http://127.0.0.1:{ports.processor}/healthz"),
        Child(
            "web",
            _python("app.cli", "serve", "--port", str(ports.web)),
            f"http://localhost:{ports.web}/healthz",
        ),
        Child("worker", _python("app.cli", "worker")),
    )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    here = {
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        # Should this machine reach the world through a proxy: the demo's parts speak to each other directly.
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }
    return {**os.environ, **here, **settings}


def _keep(path: pathlib.Path, settings: Mapping[str, str]) -> None:
    """Writes the settings where ``./shop verify`` and its like find them."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())


def _say_ready(data: pathlib.Path, ports: Ports) -> None:
    lines = [
        "",
        "Fernway is open.",
        "",
        f"  Shop            http://localhost:{ports.web}/",
        f"  Bills           http://localhost:{ports.web}/account",
        f"  Desk            http://localhost:{ports.web}/desk",
        f"  Mail box        http://127.0.0.1:{ports.mail}/",
        f"  Processor       http://127.0.0.1:{ports.processor}/  (a pretend one: no real money)",
        "",
    ]
    logins = data / LOGINS
    if logins.exists():
        here = (
            f"http://localhost:{ports.web}/"  # it may have been opened elsewhere when it was seeded
        )
        told = re.sub(r"http://localhost:\d+/", here, logins.read_text())
        lines += [f"  {line}".rstrip() for line in told.splitlines()] + [""]
    lines.append(f"Its data is kept in {data}, its logs in {data / 'log'}. Ctrl-C closes it.")
    print("\n".join(lines), flush=True)
