from tests.training.models.battery import FamilyBattery


class TestPopularity(FamilyBattery):
    name = "popularity"
    learns_users = False
    learns_to_rank = False
