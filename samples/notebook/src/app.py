"""Runs JupyterLab as an app of the platform: at the instance's address, for its owner, with its files on the volume."""

import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from .files import copy_samples

APP = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("NOTEBOOK_ROOT", "/data"))


def main() -> None:
    if not os.environ.get("H2O_CLOUD_CLIENT_PLATFORM_TOKEN") or not os.environ.get("H2O_WAVE_OIDC_CLIENT_ID"):
        sys.exit(
            "This notebook does not start here: others may open this instance, and whoever opens a notebook runs code as its "
            "owner. Terminate the instance and run the app with the visibility PRIVATE."
        )
    copy_samples(APP / "notebooks", DATA)
    prepare_environment()
    # Where terminals begin.
    os.chdir(DATA)
    # After the environment: Jupyter reads its folders when it is imported.
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(argv=arguments())


def prepare_environment() -> None:
    """Settings and layout live on the volume; sockets and connection files in a private folder that ends with the instance."""
    own = DATA / ".jupyter"
    own.mkdir(exist_ok=True)
    os.environ.update(
        JUPYTER_CONFIG_DIR=str(own),
        JUPYTER_CONFIG_PATH=str(APP / "config"),
        JUPYTERLAB_SETTINGS_DIR=str(own / "lab/user-settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(own / "lab/workspaces"),
        # Not below a long path: the name of a Unix socket has 107 bytes at most.
        JUPYTER_RUNTIME_DIR=tempfile.mkdtemp(prefix="jupyter-", dir="/tmp"),
        IPYTHONDIR=str(own / "ipython"),
        SHELL="/bin/bash",
    )


def arguments() -> list[str]:
    environment = urlsplit(os.environ["H2O_CLOUD_ENVIRONMENT"])
    # The instance's own host and no other: a page elsewhere that makes its name point here is turned away.
    host = f"{os.environ['H2O_CLOUD_INSTANCE_ID']}.{environment.hostname}"
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": os.environ["PORT"],
        "ServerApp.port_retries": 0,
        "ServerApp.base_url": os.environ["H2O_WAVE_BASE_URL"],
        "ServerApp.local_hostnames": host,
        "ServerApp.allow_remote_access": False,
        "ServerApp.allow_unauthenticated_access": False,
        "ServerApp.trust_xheaders": True,
        "ServerApp.open_browser": False,
        "ServerApp.root_dir": str(DATA),
        "ServerApp.identity_provider_class": "src.sign_in.OwnerOnly",
        "ServerApp.quit_button": False,
        "ServerApp.log_level": "WARN",
        "KernelManager.transport": "ipc",
        "LabApp.extension_manager": "readonly",
    }
    return [f"--{name}={value}" for name, value in options.items()]


if __name__ == "__main__":
    main()
