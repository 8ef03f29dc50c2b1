"""mage_ai.orchestration.triggers"""
