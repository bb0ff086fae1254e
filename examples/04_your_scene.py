"""Put the robot into a room that a file describes, and look at the truth afterwards."""

from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from bidden.adapters.sim.gl import choose_gl
from bidden.core.errors import ConfigError

choose_gl()  # before anything imports mujoco
from bidden.adapters.sim.house import SessionConfig, open_session  # noqa: E402
from bidden.adapters.sim.scene import load_scene  # noqa: E402

SCENE = Path(__file__).with_name("04_your_scene.toml")


def main() -> None:
    scene = load_scene(SCENE)
    print(f"{SCENE.name}: {', '.join(thing.name for thing in scene.things)}")

    config = SessionConfig(scene=SCENE, policy="expert")
    with closing(open_session(config)) as session:
        before = session.world.truth()["red cube"].p_W
        outcome = session.ask("put the red cube in the blue bowl")
        after = session.world.truth()["red cube"].p_W
    print(f"{outcome.status}: {outcome.reply}")
    print(f"the cube went from {before.round(2)} to {after.round(2)}")

    with TemporaryDirectory() as folder:
        broken = Path(folder) / "broken.toml"
        broken.write_text(SCENE.read_text().replace("robot_start", "robot_strat"))
        try:
            load_scene(broken)
        except ConfigError as error:
            print(f"a misspelt key is refused: {error}")


if __name__ == "__main__":
    main()
