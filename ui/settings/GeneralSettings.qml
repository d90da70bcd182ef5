// Language and keys.
import QtQuick
import Paluku
import PalukuApp

SettingsGroup {
    id: group

    required property SettingsController settings

    name: qsTr("General")
    restorable: true
    onRestoreWanted: settings.restoreDefaults(SettingsController.General)

    SettingRow {
        name: qsTr("Language")

        Combo {
            name: qsTr("Language")
            model: group.settings.languageNames
            currentIndex: group.settings.languageIndex
            onActivated: index => group.settings.languageIndex = index
        }
    }
    SettingRow {
        name: qsTr("Enter sends")
        hint: qsTr("When this is off, Ctrl+Enter sends and Enter begins a new line.")

        Switch {
            text: qsTr("Enter sends")
            checked: group.settings.enterSends
            onToggled: group.settings.enterSends = checked
        }
    }
}
