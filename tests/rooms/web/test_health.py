"""What machines ask of the shop: is it alive, is it ready, and its figures."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from core.kernel import jobs
from tests.rooms.web.stage import Browser, Stage
from tests.shop import Shop

ROOT = Path(__file__).parents[3]
TOKEN = {"Authorization": "Bearer figures-for-tests"}


def test_alive_and_ready_are_told_in_a_word(stage: Stage):
    browser = stage.browser()
    assert browser.get("/healthz").get_json() == {"status": "alive"}
    ready = browser.get("/readyz")
    assert (ready.status_code, ready.get_json()) == (200, {"status": "ready"})


def test_a_shop_whose_channel_is_missing_is_not_ready(stage: Stage):
    shop = stage.another_shop()
    shop.house.rules.__dict__["channel"] = "nowhere"  # frozen for all but this
    answer = Browser(shop).get("/readyz")
    assert (answer.status_code, answer.get_json()) == (503, {"status": "no channel"})


def test_figures_are_for_those_who_hold_the_token(one_stage: Stage):
    browser = one_stage.browser()
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer nothing"}):
        assert browser.get("/metrics", headers=headers).status_code == 404
    assert browser.get("/metrics", headers=TOKEN).status_code == 200
    without = Browser(one_stage.another_shop(METRICS_TOKEN=""))
    for headers in (TOKEN, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert without.get("/metrics", headers=headers).status_code == 404


def _figures(shop: Shop) -> str:
    return Browser(shop).get("/metrics", headers=TOKEN).get_data(as_text=True)


def test_figures_are_by_route_and_never_by_what_was_asked(one_stage: Stage):
    browser = one_stage.browser()
    browser.get(f"/o/{one_stage.ids['riley_order']}/{one_stage.ids['riley_order_token']}")
    browser.get("/a-made-up-address")
    browser.ask("MADEUP", "/terms")
    told = _figures(one_stage.shop)
    assert 'route="/o/<public_id>/<token>",status="200"' in told
    assert 'method="other",route="unmatched",status="405"' in told
    for secret in (one_stage.ids["riley_order"], "made-up", "MADEUP"):
        assert secret not in told


def test_figures_tell_how_many_jobs_wait_and_for_how_long(stage: Stage):
    stage.drain()
    with stage.db.transaction() as session:
        jobs.enqueue(session, "tidy", {}, stage.clock.now() - timedelta(minutes=5))
        jobs.enqueue(session, "tidy", {}, stage.clock.now() + timedelta(hours=1))
    told = _figures(stage.shop)
    assert 'shop_jobs{state="ready"} ' in told
    assert "shop_jobs_waiting_seconds 300.0" in told


_WORK = """
import os, sys
from app.web import create
client = create().test_client()
for requests in (3, 4):
    child = os.fork()
    if not child:
        for _ in range(requests):
            client.get("/healthz")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
answer = client.get("/metrics", headers={"Authorization": "Bearer figures-for-tests"})
sys.stdout.write(answer.get_data(as_text=True))
"""


def test_figures_are_summed_over_all_processes(one_stage: Stage, tmp_path: Path):
    environment = {
        "PATH": os.environ["PATH"],
        "SHOP_MODE": "test",
        "DATABASE_URL": one_stage.db.url,
        "SECRET_KEY": "x" * 40,
        "BASE_URL": "http://localhost:8000",
        "DATA_DIR": str(tmp_path),
        "STRIPE_KEY": "sk_sandbox_tests",
        "STRIPE_BASE": "http://127.0.0.1:8001",
        "STRIPE_WEBHOOK_SECRETS": "whsec_tests",
        "MAIL_FROM": "Fernway <shop@fernway.example.com>",
        "METRICS_TOKEN": "figures-for-tests",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", _WORK], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    asked = r'shop_requests_total{method="GET",route="/healthz",status="200"} (\S+)'
    found = re.search(asked, done.stdout)
    assert found, done.stdout
    assert float(found[1]) == 7
    assert re.search(r'shop_request_seconds_count{route="/healthz"} 7\.0', done.stdout)
