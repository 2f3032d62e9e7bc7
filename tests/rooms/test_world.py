"""The small shop that other tests stand on."""

from sqlalchemy import func, select, text

from core.kernel.db import Database
from core.stock.models import StockLevel, StockMovement
from tests.world import World


def test_the_movements_of_the_small_shop_sum_to_its_levels(db: Database, world: World):
    with db.reading() as session:
        for goods, pieces in ((world.router, 27), (world.camera, 4)):
            level = session.get_one(StockLevel, goods.level_id)
            moved = session.scalar(
                select(func.sum(StockMovement.on_hand)).where(StockMovement.level_id == level.id)
            )
            assert level.on_hand == moved == pieces


def test_each_test_finds_an_empty_database(db: Database):
    with db.transaction() as session:
        for table in ("legal_entity", "job", "audit_entry", "stock_movement"):
            assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0
        session.execute(text("INSERT INTO job_schedule VALUES ('mail', 60, '2026-11-17')"))
        if not db.is_sqlite:
            session.execute(text("DROP TRIGGER stock_movement_append_only ON stock_movement"))


def test_a_changed_schema_does_not_reach_the_next_test(db: Database):
    with db.transaction() as session:
        assert session.execute(text("SELECT count(*) FROM job_schedule")).scalar() == 0
        if not db.is_sqlite:
            found = "SELECT count(*) FROM pg_trigger WHERE tgname = 'stock_movement_append_only'"
            assert session.execute(text(found)).scalar() == 1
