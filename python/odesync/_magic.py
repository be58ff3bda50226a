"""Cells of a Python notebook in the script language: `%%odesync`. Their session lasts as long as the notebook's kernel."""

from __future__ import annotations

import atexit
import queue
import sys

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import publish_display_data, update_display

from ._program import OdesyncError, program


@magics_class
class OdesyncMagics(Magics):
    """`%%odesync` runs a cell in the script language; `%odesync_restart` begins anew."""

    _running: list = []

    def __init__(self, shell):
        super().__init__(shell)
        self._manager = None
        self._client = None

    def _start(self):
        """The session of this notebook; it is begun where there is none."""
        if self._manager is not None and self._manager.is_alive():
            return self._client
        from jupyter_client.kernelspec import KernelSpec
        from jupyter_client.manager import KernelManager

        manager = KernelManager()
        manager._kernel_spec = KernelSpec(
            argv=[program(), "kernel", "run", "--connection-file", "{connection_file}"],
            display_name="odesync", language="rhai", interrupt_mode="message",
        )
        manager.start_kernel()
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        self._manager, self._client = manager, client
        if not OdesyncMagics._running:
            atexit.register(OdesyncMagics.stop_all)
        OdesyncMagics._running.append(self)
        return client

    def _stop(self):
        if self._manager is not None:
            self._client.stop_channels()
            self._manager.shutdown_kernel(now=True)
            self._manager = self._client = None

    @classmethod
    def stop_all(cls):
        """Ends the sessions."""
        while cls._running:
            cls._running.pop()._stop()

    @line_magic
    def odesync_restart(self, line):
        """Ends the session: the next cell begins a new one, without variables."""
        self._stop()

    @cell_magic
    def odesync(self, line, cell):
        """Runs the cell in the script language; a value at its end is shown."""
        client = self._start()
        sent = client.execute(cell, allow_stdin=False)
        failed = None
        while True:
            try:
                message = client.get_iopub_msg(timeout=1)
            except queue.Empty:
                if not self._manager.is_alive():
                    self._stop()
                    raise OdesyncError("the session ended; its variables are lost") from None
                continue
            except KeyboardInterrupt:
                self._manager.interrupt_kernel()
                continue
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                (sys.stderr if content["name"] == "stderr" else sys.stdout).write(content["text"])
            elif kind in ("display_data", "execute_result"):
                publish_display_data(content["data"], content.get("metadata", {}), transient=content.get("transient") or {})
            elif kind == "update_display_data":
                identity = content["transient"]["display_id"]
                update_display(content["data"], display_id=identity, metadata=content.get("metadata", {}), raw=True)
            elif kind == "error":
                failed = content
            elif kind == "status" and content["execution_state"] == "idle":
                break
        if failed is not None:
            raise OdesyncError("\n".join(failed["traceback"]) or failed["evalue"])
