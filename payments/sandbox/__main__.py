"""``python -m payments.sandbox``: start the pretend processor and run until told to stop."""

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from payments.sandbox.processor import Processor, Settings
from payments.sandbox.server import Handler, Server


def main() -> int:
    arguments = _arguments()
    try:
        server = Server(("127.0.0.1", arguments.port), Handler)
    except OSError as problem:
        print(f"sandbox: port {arguments.port}: {problem.strerror}", file=sys.stderr)
        return 1
    base = f"http://127.0.0.1:{server.server_port}"
    server.processor = Processor(
        Settings(
            base=base,
            api_key=arguments.api_key,
            data=arguments.data,
            webhook_url=arguments.webhook_url,
            webhook_secrets=tuple(arguments.webhook_secret),
            shop_name=arguments.shop_name,
        )
    )
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    server.processor.sender.start()
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    print(f"sandbox processor at {base} (test: no real money)", flush=True)
    stop.wait()
    server.processor.sender.stop()
    server.socket.close()
    server.processor.store.close()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m payments.sandbox",
        description="A pretend payment processor on this machine. No real money is involved.",
    )
    parser.add_argument("--port", type=int, required=True, help="0 takes any free port")
    parser.add_argument("--data", type=Path, required=True, help="folder of its store")
    parser.add_argument("--api-key", required=True, help="begins with sk_sandbox_")
    parser.add_argument("--webhook-url", help="where events are posted; nowhere when left out")
    parser.add_argument(
        "--webhook-secret",
        action="append",
        default=[],
        help="signs the events; given twice while a secret is being changed",
    )
    parser.add_argument("--shop-name", default="Fernway", help="as the pay page calls the shop")
    arguments = parser.parse_args()
    if not arguments.api_key.startswith("sk_sandbox_"):
        parser.error("--api-key must begin with sk_sandbox_: never give a real key to the sandbox")
    if arguments.webhook_url and not arguments.webhook_secret:
        parser.error("--webhook-url needs a --webhook-secret")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
