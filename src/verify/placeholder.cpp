namespace tieout {}
