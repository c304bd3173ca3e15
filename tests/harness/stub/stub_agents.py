"""Learners of the stub world that end in every way a learner can."""

import os
import signal

import numpy as np


class Closed:
    """Knows the answer, up to an error that shrinks as it 'learns'."""

    def __init__(
        self, observation_size, action_size, discount, seed, device, error=0.05, fate="done"
    ):
        self.error, self.fate, self.now = error, fate, 1.0

    def learn(self, env, budget, monitor):
        observation, _ = env.reset()
        spent, going = 0, True
        while going:
            observation, *_ = env.step(self.act(observation, env))
            spent += env.num_envs
            self.now = 1 - min(spent / budget.env_steps, 1)
            going = monitor.update(spent, spent // 10, loss=self.now)
            if spent > budget.env_steps / 2:
                self.meet_fate()

    def meet_fate(self):
        if self.fate == "crash":
            raise RuntimeError("the loss is not finite")
        if self.fate == "interrupt":
            if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
                # So it is in a shell's background jobs and in what they start.
                signal.signal(signal.SIGINT, signal.default_int_handler)
            os.kill(os.getpid(), signal.SIGINT)
        if self.fate == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

    def act(self, observation, env, deterministic=True):
        return np.clip(observation[:, :1] + self.error + self.now, -1, 1).astype(np.float32)

    def save(self, folder):
        (folder / "agent.json").write_text("{}")

    def load(self, folder):
        self.now = 0.0
