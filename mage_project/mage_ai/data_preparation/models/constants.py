"""mage_ai.data_preparation.models.constants: Mage's words for blocks and pipelines."""

from __future__ import annotations

from enum import StrEnum

DATAFRAME_ANALYSIS_MAX_COLUMNS = 100
DATAFRAME_SAMPLE_COUNT = 1000
DATAFRAME_SAMPLE_MAX_COLUMNS = 1000
LOGS_SUBDIR = ".logs"
PIPELINE_CONFIG_FILE = "metadata.yaml"
PIPELINES_FOLDER = "pipelines"
PREFERENCES_FILE = ".preferences.yaml"
REPO_CONFIG_FILE = "metadata.yaml"
VARIABLE_DIR = ".variables"


class BlockLanguage(StrEnum):
    """What a block is written in."""

    MARKDOWN = "markdown"
    PYTHON = "python"
    R = "r"
    SQL = "sql"
    YAML = "yaml"


class BlockStatus(StrEnum):
    """How a block fared last."""

    EXECUTED = "executed"
    FAILED = "failed"
    NOT_EXECUTED = "not_executed"
    UPDATED = "updated"


class BlockType(StrEnum):
    """What a block is for."""

    CALLBACK = "callback"
    CHART = "chart"
    CONDITIONAL = "conditional"
    CUSTOM = "custom"
    DATA_EXPORTER = "data_exporter"
    DATA_LOADER = "data_loader"
    DBT = "dbt"
    DYNAMIC_CHILD = "dynamic_child"
    EXTENSION = "extension"
    GLOBAL_DATA_PRODUCT = "global_data_product"
    GROUP = "group"
    HOOK = "hook"
    MARKDOWN = "markdown"
    PIPELINE = "pipeline"
    SCRATCHPAD = "scratchpad"
    SENSOR = "sensor"
    TRANSFORMER = "transformer"


class BlockColor(StrEnum):
    """The colour of a custom block."""

    BLUE = "blue"
    GREY = "grey"
    PINK = "pink"
    PURPLE = "purple"
    TEAL = "teal"
    YELLOW = "yellow"


class CallbackStatus(StrEnum):
    """What a callback waits for."""

    CANCELLED = "cancelled"
    FAILURE = "failure"
    SUCCESS = "success"


class ExecutorType(StrEnum):
    """Where Mage runs a block; here all run in this process."""

    AZURE_CONTAINER_INSTANCE = "azure_container_instance"
    ECS = "ecs"
    GCP_CLOUD_RUN = "gcp_cloud_run"
    K8S = "k8s"
    LOCAL_PYTHON = "local_python"
    LOCAL_PYTHON_FORCE = "local_python_force"
    PYSPARK = "pyspark"


class PipelineType(StrEnum):
    """Mage's kinds of pipelines; here all are `python`."""

    DATABRICKS = "databricks"
    EXECUTION_FRAMEWORK = "execution_framework"
    INTEGRATION = "integration"
    PYSPARK = "pyspark"
    PYTHON = "python"
    STREAMING = "streaming"


class PipelineStatus(StrEnum):
    """Whether a pipeline has triggers that are active."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    NO_SCHEDULES = "no_schedules"


BLOCK_LANGUAGE_TO_FILE_EXTENSION = {
    BlockLanguage.MARKDOWN: "md",
    BlockLanguage.PYTHON: "py",
    BlockLanguage.R: "r",
    BlockLanguage.SQL: "sql",
    BlockLanguage.YAML: "yaml",
}
FILE_EXTENSION_TO_BLOCK_LANGUAGE = {ending: language for language, ending in BLOCK_LANGUAGE_TO_FILE_EXTENSION.items()}
