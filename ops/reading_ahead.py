"""Let uvicorn read a few frames ahead: by itself it stops and resumes reading at each, two system calls a text."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

AHEAD = 4
"""Frames that may wait in a socket before no more are read: what waits is bounded by them and one read."""


class ReadsAhead(WebSocketsSansIOProtocol):
    """Be uvicorn's WebSocket with a short queue of frames in place of none."""

    def send_receive_event_to_app(self) -> None:
        """Take a whole frame; stop reading only when some wait."""
        if self.read_paused or self.queue.qsize() >= AHEAD:
            super().send_receive_event_to_app()
            return
        # what is already stopped is not stopped
        self.read_paused = True
        super().send_receive_event_to_app()
        self.read_paused = False
