"""Language models behind one small protocol: servers, recordings, files that a person carries."""

from envs.formulation.llm.protocol import Answer, LanguageModelError, Message, Model

__all__ = ["Answer", "LanguageModelError", "Message", "Model"]
